# A small module system: options are declared once, defined by any number of modules, checked and
# merged. `evaluate [ ./a.nix ./b.nix ]` gives the finished configuration as a set; a module may
# also stand there itself.
#
# A module is `{ config, lib }: { options ? ..., config ? ... }`; `config` is the finished
# configuration, so modules may refer to what others define.
let
  inherit (builtins)
    all attrNames concatLists concatStringsSep filter foldl' hasAttr head isAttrs isBool isFunction isInt isList
    isString map mapAttrs typeOf;

  types = {
    string = { name = "a string"; check = isString; merge = one; };
    bool = { name = "true or false"; check = isBool; merge = one; };
    port = { name = "a port (1 to 65535)"; check = x: isInt x && x > 0 && x < 65536; merge = one; };
    listOf = type: {
      name = "a list of ${type.name}";
      check = x: isList x && all type.check x;
      merge = path: concatLists;
    };
    attrsOf = type: {
      name = "a set of ${type.name}";
      check = x: isAttrs x && all (name: type.check x.${name}) (attrNames x);
      merge = path: definitions: mapAttrs
        (name: _: type.merge "${path}.${name}" (concatLists (map (d: if hasAttr name d then [ d.${name} ] else [ ]) definitions)))
        (foldl' (a: b: a // b) { } definitions);
    };
    # A set with options of its own; what is not defined in it has their defaults.
    group = options: {
      name = "a set of options";
      check = isAttrs;
      merge = path: definitions: mergeOptions path options definitions;
    };
  };

  # Definitions of a value that cannot be combined have to agree.
  one = path: definitions:
    if all (d: d == head definitions) definitions then head definitions
    else throw "option '${path}' is defined in different ways: ${concatStringsSep ", " (map builtins.toJSON definitions)}";

  option = type: { inherit type; };
  optionWith = type: default: { inherit type default; };

  mergeOption = path: { type, ... }@declaration: definitions:
    let
      wrong = filter (d: !type.check d) definitions;
    in
    if wrong != [ ] then throw "option '${path}' should be ${type.name} not of type ${typeOf (head wrong)}"
    else if definitions != [ ] then type.merge path definitions
    else declaration.default or (throw "option '${path}' has no value: define it in one of the modules");

  mergeOptions = path: options: definitions:
    let
      unknown = filter (name: !hasAttr name options) (concatLists (map attrNames definitions));
      under = name: if path == "" then name else "${path}.${name}";
      given = name: concatLists (map (d: if hasAttr name d then [ d.${name} ] else [ ]) definitions);
    in
    if unknown != [ ] then throw "there is no option '${under (head unknown)}'; there are ${concatStringsSep ", " (attrNames options)}"
    else mapAttrs (name: declaration: mergeOption (under name) declaration (given name)) options;

  lib = { inherit types option optionWith; };

  evaluate = given:
    let
      load = module: if isFunction module then module else import module;
      modules = map (module: load module { inherit config lib; }) given;
      options = foldl' (a: m: a // (m.options or { })) { } modules;
      config = mergeOptions "" options (map (m: m.config or { }) modules);
    in
    config;
in
{ inherit evaluate lib; }
