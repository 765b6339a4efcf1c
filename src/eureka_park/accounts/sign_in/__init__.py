"""Ways to sign in: passwords, passkeys, providers elsewhere, links, devices."""
