import { describeConsulIntentions } from './conformance-intentions.ts';
import { startEmbedded } from './support/consul-server.ts';

describeConsulIntentions('the embedded agent', startEmbedded);
