import { expect } from 'chai';

import type { Intention } from '#discovery';

import { createIntentions } from '../../../mesh/intentions/intentions.ts';
import { header, intention, permission, request } from './intention.ts';

type Question = readonly [source: string, destination: string, line: string, allowed: boolean, headers?: Record<string, string>];

interface Example {
  readonly intentions: readonly Intention[];
  /** With the default `deny`. */
  readonly answers: readonly Question[];
}

const any = 'POST /';
const prefix = (value: string) => ({ path: { kind: 'prefix', value } }) as const;
const exact = (value: string) => ({ path: { kind: 'exact', value } }) as const;

/** The examples of https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions, and what they are said to do. */
const examples: Readonly<Record<string, Example>> = {
  'L4 intentions for specific sources and destinations': {
    intentions: [intention('web', 'db', 'deny'), intention('api', 'db', 'allow')],
    answers: [['web', 'db', any, false], ['api', 'db', any, true], ['other', 'db', any, false]],
  },
  'L4 intentions for all destinations': {
    intentions: [intention('web', '*', 'deny'), intention('api', '*', 'allow')],
    answers: [['web', 'db', any, false], ['web', 'api', any, false], ['api', 'db', any, true]],
  },
  'L4 intentions for all sources': {
    intentions: [intention('*', 'db', 'deny'), intention('*', 'api', 'allow')],
    answers: [['web', 'db', any, false], ['web', 'api', any, true]],
  },
  'REST access': {
    intentions: [
      intention('admin-dashboard', 'api', [permission('allow', { ...prefix('/v2'), methods: ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'] })]),
      intention('report-generator', 'api', [permission('allow', { ...prefix('/v2/widgets'), methods: ['GET'] })]),
    ],
    answers: [
      ['admin-dashboard', 'api', 'DELETE /v2/widgets/1', true],
      ['admin-dashboard', 'api', 'PATCH /v2/widgets/1', false],
      ['admin-dashboard', 'api', 'GET /v1/widgets', false],
      ['report-generator', 'api', 'GET /v2/widgets', true],
      ['report-generator', 'api', 'PUT /v2/widgets', false],
      ['report-generator', 'api', 'GET /v2/users', false],
      ['other', 'api', 'GET /v2/widgets', false],
    ],
  },
  gRPC: {
    intentions: [
      intention('frontend-web', 'billing', [
        permission('deny', exact('/mycompany.BillingService/IssueRefund')),
        permission('allow', prefix('/mycompany.BillingService/')),
      ]),
      intention('support-portal', 'billing', [permission('allow', prefix('/mycompany.BillingService/'))]),
    ],
    answers: [
      ['frontend-web', 'billing', 'POST /mycompany.BillingService/IssueRefund', false],
      ['frontend-web', 'billing', 'POST /mycompany.BillingService/GetInvoice', true],
      ['frontend-web', 'billing', 'POST /mycompany.OtherService/GetInvoice', false],
      ['support-portal', 'billing', 'POST /mycompany.BillingService/IssueRefund', true],
      ['other', 'billing', 'POST /mycompany.BillingService/GetInvoice', false],
    ],
  },
  'L4 and L7': {
    intentions: [
      intention('hackathon-project', 'api', 'deny'),
      intention('web', 'api', 'allow'),
      intention('nightly-reconciler', 'api', [permission('allow', { ...exact('/v1/reconcile-data'), methods: ['POST'] })]),
    ],
    answers: [
      ['hackathon-project', 'api', 'POST /v1/reconcile-data', false],
      ['web', 'api', 'DELETE /anything', true],
      ['nightly-reconciler', 'api', 'POST /v1/reconcile-data', true],
      ['nightly-reconciler', 'api', 'GET /v1/reconcile-data', false],
      ['nightly-reconciler', 'api', 'POST /v1/reconcile-data/1', false],
      ['other', 'api', 'POST /v1/reconcile-data', false],
    ],
  },
  // The comment on permissions in Consul's own data structures.
  'a denied path in front of two that are allowed': {
    intentions: [intention('web', 'api', [permission('deny', prefix('/v2/admin')), permission('allow', prefix('/v2/')), permission('allow', { ...exact('/healthz'), methods: ['GET'] })])],
    answers: [
      ['web', 'api', 'GET /v2/admin', false],
      ['web', 'api', 'GET /v2/admin/users', false],
      ['web', 'api', 'GET /v2/users', true],
      ['web', 'api', 'GET /healthz', true],
      ['web', 'api', 'POST /healthz', false],
    ],
  },
  'cluster defaults: nothing from anybody, but what is said': {
    intentions: [intention('*', '*', 'deny'), intention('web', 'api', 'allow')],
    answers: [['web', 'api', any, true], ['api', 'web', any, false], ['web', 'db', any, false]],
  },
  'headers of every kind': {
    intentions: [
      intention('web', 'api', [
        permission('deny', { headers: [header('x-debug', 'present')] }),
        permission('allow', { ...prefix('/v1'), headers: [header('x-env', 'exact', 'prod'), header('x-user', 'regex', '[a-z]+', { invert: true })] }),
        permission('allow', { headers: [header('x-team', 'prefix', 'ops-')] }),
      ]),
    ],
    answers: [
      ['web', 'api', 'GET /v1/a', true, { 'x-env': 'prod', 'x-user': '42' }],
      ['web', 'api', 'GET /v1/a', false, { 'x-env': 'prod', 'x-user': 'ada' }],
      ['web', 'api', 'GET /v1/a', false, { 'x-env': 'prod' }],
      ['web', 'api', 'GET /v1/a', false, { 'x-env': 'prod', 'x-user': '42', 'x-debug': '' }],
      ['web', 'api', 'GET /v9', true, { 'x-team': 'ops-1' }],
    ],
  },
};

describe('intentions as Consul documents them', () => {
  for (const [name, { intentions, answers }] of Object.entries(examples)) {
    it(name, () => {
      const rules = createIntentions(intentions, 'deny');
      for (const [source, destination, line, allowed, headers] of answers) {
        expect(rules.check(source, destination, request(line, headers)).allowed, `${source} => ${destination} ${line}`).to.equal(allowed);
      }
    });
  }

  it('with the default allow, permissions that only allow deny nothing, as in the rules that Consul makes for Envoy', () => {
    const rules = createIntentions(examples['REST access']?.intentions ?? [], 'allow');
    expect(rules.check('report-generator', 'api', request('PUT /v2/widgets')).allowed).to.equal(true);
  });
});
