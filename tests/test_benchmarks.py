"""The table of timings: each row stands for itself."""

import pytest

from benchmarks import __main__ as benchmarks


def broken() -> tuple[float, float, float]:
    raise TimeoutError("Page.wait_for_function: Timeout 30000ms\n| exceeded")


def fine() -> tuple[float, float, float]:
    return 1.04, 2.0, 3.25


ROWS = [("the one", fine, ""), ("the other", broken, "9 ms"), ("the last", fine, "4 ms")]


def test_a_row_that_fails_is_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmarks, "ROWS", ROWS)
    assert benchmarks.main() == 1
    printed = capsys.readouterr()
    rows = [line for line in printed.out.splitlines() if line.startswith("| the")]
    assert rows == [
        "| the one | 2.0 | 1.0 to 3.2 |  |",
        "| the other | failed: TimeoutError, Page.wait_for_function: Timeout 30000ms / exceeded |  | 9 ms |",
        "| the last | 2.0 | 1.0 to 3.2 | 4 ms |",
    ]
    assert "1 of the rows could not be measured." in printed.out
    assert "Traceback" in printed.err


@pytest.mark.parametrize("chosen", ["fine", "test_benchmarks"])
def test_rows_are_chosen_by_their_name_or_module(
    chosen: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [row for row in ROWS if row[1] is fine] if chosen == "test_benchmarks" else ROWS
    monkeypatch.setattr(benchmarks, "ROWS", rows)
    assert benchmarks.main([chosen if chosen == "fine" else fine.__module__]) == 0
    said = capsys.readouterr().out
    assert said.count("| 2.0 | 1.0 to 3.2 |") == 2
    assert "the other" not in said
    assert "could not" not in said
