# Every agent of a production Consul, client and server: docs/security.md says step by step what to do with it.
# Beside it: retry_join, and the key of the gossip (encrypt).

datacenter  = "dc1"
data_dir    = "/opt/consul"
client_addr = "127.0.0.1"

# Nothing in clear text: tokens, keys and certificates go this way.
ports {
  http     = -1
  https    = 8501
  grpc     = -1
  grpc_tls = 8503
}

tls {
  defaults {
    ca_file         = "/etc/consul.d/consul-agent-ca.pem"
    cert_file       = "/etc/consul.d/agent.pem"
    key_file        = "/etc/consul.d/agent-key.pem"
    verify_incoming = true
    verify_outgoing = true
  }
  internal_rpc {
    verify_server_hostname = true
  }
  # Services prove who they are by their token, not by a certificate of Consul's own authority.
  https {
    verify_incoming = false
  }
  grpc {
    verify_incoming = false
  }
}

acl {
  enabled        = true
  default_policy = "deny"
  # Without the servers, what a token was allowed last goes on.
  down_policy = "extend-cache"
}

# What no intention allows is denied, whatever the access control lists say.
default_intention_policy = "deny"

connect {
  enabled = true
}

disable_update_check = true
