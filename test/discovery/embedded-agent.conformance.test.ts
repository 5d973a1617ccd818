import { describeConsul } from './conformance.ts';
import { startEmbedded } from './support/consul-server.ts';

describeConsul('the embedded agent', startEmbedded);
