import { conformance } from './conformance/all.ts';

describe('the remote transport', () => conformance('remote'));
