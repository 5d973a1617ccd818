# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

# On top of operator-read.
key_prefix "shopmesh/policies/" {
  policy = "write"
}

# Intentions of each service of this shop; not those of '*', which are everybody's in this Consul.
service "user" {
  policy     = "read"
  intentions = "write"
}
service "product" {
  policy     = "read"
  intentions = "write"
}
service "inventory" {
  policy     = "read"
  intentions = "write"
}
service "payment" {
  policy     = "read"
  intentions = "write"
}
service "shipping" {
  policy     = "read"
  intentions = "write"
}
service "order" {
  policy     = "read"
  intentions = "write"
}
service "notification" {
  policy     = "read"
  intentions = "write"
}
