with builtins; [
  true false null langVersion storeDir (isInt currentTime) (isString currentSystem)
  (isList nixPath) (compareVersions nixVersion "2.3" > 0) (builtins.builtins.builtins.length [ ])
  (builtins.true && !builtins.false)
]
