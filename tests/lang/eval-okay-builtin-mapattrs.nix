with builtins; [
  (mapAttrs (name: value: "${name}=${toString value}") { b = 1; a = 2; }) (mapAttrs throw { })
  (attrNames (mapAttrs (throw "no") { a = 1; })) (mapAttrs (name: value: name) { a = throw "no"; })
]
