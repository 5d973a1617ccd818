# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.

Kind = "service-intentions"
Name = "notification"

Sources = [
  {
    Name        = "operator"
    Description = "the commands of operators"
    Action      = "allow"
  },
]
