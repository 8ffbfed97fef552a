throw "because ${toString 1}"
