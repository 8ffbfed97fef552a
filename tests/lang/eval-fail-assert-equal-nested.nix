assert { a.b = [ true ]; } == { a.b = [ false ]; }; "unreachable"
