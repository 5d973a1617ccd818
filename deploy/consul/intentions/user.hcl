# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

Kind = "service-intentions"
Name = "user"

Sources = [
  {
    Name        = "user"
    Description = "verifies access tokens"
    Permissions = [
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/GetSigningKeys" } },
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/ListRevocations" } },
    ]
  },
  {
    Name        = "product"
    Description = "verifies access tokens"
    Permissions = [
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/GetSigningKeys" } },
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/ListRevocations" } },
    ]
  },
  {
    Name        = "inventory"
    Description = "verifies access tokens"
    Permissions = [
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/GetSigningKeys" } },
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/ListRevocations" } },
    ]
  },
  {
    Name        = "payment"
    Description = "verifies access tokens"
    Permissions = [
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/GetSigningKeys" } },
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/ListRevocations" } },
    ]
  },
  {
    Name        = "shipping"
    Description = "verifies access tokens"
    Permissions = [
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/GetSigningKeys" } },
      { Action = "allow", HTTP = { PathExact = "/shop.user.v1.AccountService/ListRevocations" } },
    ]
  },
  {
    Name        = "order"
    Description = "services/order/service.ts"
    Action      = "allow"
  },
  {
    Name        = "notification"
    Description = "services/notification/service.ts"
    Action      = "allow"
  },
  {
    Name        = "operator"
    Description = "the commands of operators"
    Action      = "allow"
  },
]
