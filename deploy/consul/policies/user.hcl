# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

# Itself: registration and health, certificate, and to read its own intentions, not to write those.
service "user" {
  policy     = "write"
  intentions = "read"
}

# Where those are that it calls. Their intentions are not denied to it: of several policies a denial wins, and a process
# of two services could not read its own.

# Consul hides instances on a node that one may not read.
node_prefix "" {
  policy = "read"
}

# What operators steer. A caller needs what is said of others too, so this is one prefix for all.
key_prefix "shopmesh/policies/mesh/" {
  policy = "read"
}
