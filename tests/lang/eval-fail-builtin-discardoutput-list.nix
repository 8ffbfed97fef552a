builtins.unsafeDiscardOutputDependency [ ]
