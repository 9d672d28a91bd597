#!/bin/sh
# See that there is a Chromium for the browser tests: one that is installed, else the Debian package when
# root, else Playwright's own download. Never fails: without one, the browser tests say that they are skipped.
# Usage: install_chromium.sh PYTHON
python=$1

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && exit 0
done
"$python" -c '
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not pathlib.Path(p.chromium.executable_path).exists())
' 2>/dev/null && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests (Debian package) ..."
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "Downloading Chromium for the browser tests (Playwright) ..."
"$python" -m playwright install chromium && exit 0
echo "No Chromium could be installed: the browser tests will be skipped."
