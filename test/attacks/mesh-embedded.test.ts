import { startEmbedded } from '../discovery/support/consul-server.ts';
import { proveOnMesh } from './prove-on-mesh.ts';

proveOnMesh('the embedded agent', startEmbedded);
