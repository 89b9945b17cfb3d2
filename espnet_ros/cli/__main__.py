"""Runs the command line as ``python -m espnet_ros.cli``."""

import sys

from espnet_ros.cli.main import main

if __name__ == '__main__':
    sys.exit(main())
