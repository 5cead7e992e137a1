"""`python -m kequn` is the `kequn` command."""

from kequn.cli import main

if __name__ == "__main__":
    main()
