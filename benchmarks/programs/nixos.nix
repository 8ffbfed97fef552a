{ nixpkgs }:
(import (nixpkgs + "/nixos") {
  system = "x86_64-linux";
  configuration = {
    fileSystems."/".device = "/dev/sda1";
    boot.loader.grub.device = "/dev/sda";
  };
}).system.drvPath
