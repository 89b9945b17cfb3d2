"""
The command line ``espnet-ros VERB``.

A verb is one module here, which declares its arguments, and one module in ``jobs``, which
does the work. Both are imported on demand, so ``--help`` is fast and a missing library
breaks only the verb that needs it.
"""
