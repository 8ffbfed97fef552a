[ "tab\tline\nreturn\rquote\"back\\slash dollar\$ \${no} $${no} a$ \q" ]
