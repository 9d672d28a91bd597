# capsviz as a container, with its weights:
#   docker build -t capsviz .                           # PyTorch's CPU-only build
#   docker build -t capsviz --build-arg TORCH=cuda .    # with CUDA: 6 GB instead of 1.5; docker run --gpus all
#   docker run -p 8501:8501 -v capsviz:/data capsviz
FROM python:3.11-slim-bookworm

# What was built with make elsewhere stands here too: ranges in requirements.txt, exact versions in constraints.txt.
WORKDIR /app
COPY requirements.txt constraints.txt ./
ARG TORCH=cpu
RUN case "$TORCH" in \
        cpu) index="--extra-index-url https://download.pytorch.org/whl/cpu" ;; \
        cuda) index="" ;; \
        *) echo "TORCH is cpu or cuda, not $TORCH"; exit 1 ;; \
    esac && \
    pip install --no-cache-dir --disable-pip-version-check $index -c constraints.txt -r requirements.txt 'psycopg[binary]'

# Classes, and what else is kept, lie in /data: a volume, or nothing of it is there after the next start.
RUN useradd --create-home --uid 1000 capsviz && install -d -o capsviz -g capsviz /data
COPY weights weights
COPY docs/icon.png docs/logo.svg docs/
COPY .streamlit .streamlit
COPY app.py ./
COPY pages pages
COPY capsviz capsviz
RUN python -m compileall -q capsviz pages app.py

USER capsviz
ENV CAPSVIZ_DATA=/data \
    PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_PORT=8501
VOLUME /data
EXPOSE 8501
# Below the prefix, where there is one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import os, urllib.request as web; \
prefix = os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', '').strip('/'); \
port = os.environ['STREAMLIT_SERVER_PORT']; \
web.urlopen('/'.join(filter(None, ('http://127.0.0.1:' + port, prefix, '_stcore/health'))), timeout=4)"]
CMD ["streamlit", "run", "app.py"]
