# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

# Who is there, how they are, and all intentions.
service_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}

# The agent's configuration says what holds where no intention decides.
agent_prefix "" {
  policy = "read"
}

key_prefix "shopmesh/policies/" {
  policy = "read"
}

# The certificate with which operators' commands call services.
service "operator" {
  policy     = "write"
  intentions = "read"
}
