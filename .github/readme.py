#!/usr/bin/env python3
"""Print the README for a package index, which has none of the files that it links: each link is one to the repository.

python .github/readme.py README.md https://github.com/OWNER/REPOSITORY v1.2.3
"""

import re
import sys
from pathlib import Path

RELATIVE = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


def published(text: str, repository: str, tag: str) -> str:
    """Return the text with absolute links; a picture is linked as the file itself."""

    def absolute(found: re.Match[str]) -> str:
        view = "raw" if found[1].endswith(".svg") else "blob"
        return f"]({repository}/{view}/{tag}/{found[1]})"

    return RELATIVE.sub(absolute, text)


if __name__ == "__main__":
    sys.stdout.write(published(Path(sys.argv[1]).read_text(encoding="utf-8"), *sys.argv[2:]))
