# One machine: the modules it uses, and its own settings.
#
#   aionix eval --strict --json examples/config/site.nix
#   aionix eval --strict --json examples/config/site.nix -A firewall.open
#   aionix eval --strict --json examples/config/site.nix --argstr domain example.com
{ domain ? "example.org" }:

(import ./lib.nix).evaluate [
  ./modules/firewall.nix
  ./modules/web.nix
  ./modules/backup.nix
  (
    { config, lib }: {
      config = {
        web.enable = true;
        web.hosts.${domain} = { root = "/srv/www"; aliases = [ "www.${domain}" ]; };
        web.hosts."status.${domain}" = { root = "/srv/status"; tls = false; };
        firewall.open = [ 22 ];
        backup.paths = [ "/etc" ];
      };
    }
  )
]
