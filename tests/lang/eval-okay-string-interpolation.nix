let n = 3; s = "x"; in [ "a${s}b${toString n}" "${s}${s}" "${"nested ${s}"}" "$${s}" "\${s}" "$s {s}" "${{ a = "in set"; }.a}" ]
