[ /etc/hosts ((toString ./.) == (toString ./x/..)) ]
