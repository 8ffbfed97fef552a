"${/no-such.drv}"
