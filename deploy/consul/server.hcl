# On top of agent.hcl, for the servers.

server = true

# How many servers there are.
bootstrap_expect = 3
