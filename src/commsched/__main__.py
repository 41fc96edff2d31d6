"""``python -m commsched``."""

from __future__ import annotations

from commsched.cli import main

if __name__ == "__main__":
    main()
