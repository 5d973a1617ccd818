import type { CheckRecord, KeyRecord, ServiceRecord } from './records.ts';

/** The node that this agent stands for. */
export interface AgentNode {
  readonly id: string;
  readonly name: string;
  readonly address: string;
}

export const DATACENTER = 'dc1';

// The shapes below are Consul's, field by field; the conformance suite compares the ones that clients read.

export function nodeAnswer({ id, name, address }: AgentNode) {
  return { ID: id, Node: name, Address: address, Datacenter: DATACENTER, TaggedAddresses: { lan: address }, Meta: {} };
}

/** As in `/v1/agent/service/:id` and `/v1/agent/services`. */
export function agentServiceAnswer(record: ServiceRecord) {
  return {
    ID: record.id,
    Service: record.service,
    Tags: record.tags,
    Meta: record.meta,
    Port: record.port,
    Address: record.address,
    Weights: record.weights,
    EnableTagOverride: false,
    Datacenter: DATACENTER,
  };
}

/** As in `/v1/health/service/:name`. */
export function healthAnswer(record: ServiceRecord, node: AgentNode) {
  const { Datacenter: _, ...service } = agentServiceAnswer(record);
  return {
    Node: nodeAnswer(node),
    Service: { ...service, CreateIndex: record.createIndex, ModifyIndex: record.modifyIndex },
    Checks: [nodeCheckAnswer(node), ...record.checks.map((check) => checkAnswer(check, record, node))],
  };
}

/** As in `/v1/agent/checks`. */
export function checkAnswer({ definition, state }: CheckRecord, record: ServiceRecord, node: AgentNode) {
  return {
    Node: node.name,
    CheckID: definition.checkId,
    Name: definition.name,
    Status: state.status,
    Notes: definition.notes,
    Output: state.output,
    ServiceID: record.id,
    ServiceName: record.service,
    ServiceTags: record.tags,
    Type: 'grpc',
    Interval: `${definition.intervalMs / 1_000}s`,
    Timeout: `${definition.timeoutMs / 1_000}s`,
    CreateIndex: state.createIndex,
    ModifyIndex: state.modifyIndex,
  };
}

/** As in `/v1/catalog/service/:name`. */
export function catalogAnswer(record: ServiceRecord, node: AgentNode) {
  const { ID, Node, Address, Datacenter, TaggedAddresses, Meta } = nodeAnswer(node);
  return {
    ...{ ID, Node, Address, Datacenter, TaggedAddresses, NodeMeta: Meta },
    ServiceKind: '',
    ServiceID: record.id,
    ServiceName: record.service,
    ServiceTags: record.tags,
    ServiceAddress: record.address,
    ServiceWeights: record.weights,
    ServiceMeta: record.meta,
    ServicePort: record.port,
    ServiceEnableTagOverride: false,
    CreateIndex: record.createIndex,
    ModifyIndex: record.modifyIndex,
  };
}

/** As in `/v1/kv/:key`; an empty value is null. */
export function keyAnswer({ key, value, flags, createIndex, modifyIndex }: KeyRecord) {
  const Value = value === '' ? null : value;
  return { LockIndex: 0, Key: key, Flags: flags, Value, CreateIndex: createIndex, ModifyIndex: modifyIndex };
}

/** The agent itself, which is well as long as it answers. */
function nodeCheckAnswer(node: AgentNode) {
  const none = { ServiceID: '', ServiceName: '', ServiceTags: [] };
  const Output = 'the embedded agent answers';
  return { Node: node.name, CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing', Notes: '', Output, ...none };
}
