import { conformanceOfCalls } from './conformance/all.ts';

describe('the remote transport, with certificates', () => conformanceOfCalls('mtls'));
