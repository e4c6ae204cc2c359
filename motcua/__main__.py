"""`python -m motcua`, and the entry point of the command `motcua`."""

from motcua.cli.app import app, main

__all__ = ["app", "main"]

if __name__ == "__main__":
    main()
