# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

Kind = "service-intentions"
Name = "order"

Sources = [
  {
    Name        = "payment"
    Description = "services/payment/service.ts"
    Action      = "allow"
  },
  {
    Name        = "shipping"
    Description = "services/shipping/service.ts"
    Action      = "allow"
  },
  {
    Name        = "operator"
    Description = "the commands of operators"
    Action      = "allow"
  },
]
