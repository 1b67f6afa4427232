"""Reads pip's --report from stdin; prints `cpu SIZE` or `cuda SIZE`: what the package index would install for torch."""
import json
import os
import sys
import urllib.parse
import urllib.request


def size_of(url):
    """Bytes behind an address, 0 when the server does not say."""
    parts = urllib.parse.urlparse(url)
    if parts.scheme == "file":
        return os.path.getsize(urllib.request.url2pathname(parts.path))
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10) as answer:
            return int(answer.headers.get("Content-Length") or 0)
    except (OSError, ValueError):
        return 0


try:
    items = json.load(sys.stdin)["install"]
except (ValueError, KeyError):
    sys.exit(1)
names = [item["metadata"]["name"].lower() for item in items]
cuda = any(name.startswith(("nvidia-", "cuda", "triton", "pytorch-triton")) for name in names)
total = sum(size_of(item["download_info"]["url"]) for item in items)
print("cuda" if cuda else "cpu", f"{total / 1e6:.0f} MB" if total else "size unknown (about 200 MB)" if not cuda else "several GB")
