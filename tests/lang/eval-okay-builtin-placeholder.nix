[ (placeholder "out") (builtins.placeholder "dev") ]
