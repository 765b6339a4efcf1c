"""`python -m eureka_park.cli`: the same as the installed `park`."""

from eureka_park.cli.main import main

main()
