"""Entry point of `freehold` and `python -m freehold`."""

from freehold.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
