"""
The command line ``espnet-ros COMMAND``.

A command is a folder here: ``options`` declares what it takes, ``command`` does the work. Both
are imported on demand, so ``--help`` is fast and a missing library breaks only the command that
needs it.
"""
