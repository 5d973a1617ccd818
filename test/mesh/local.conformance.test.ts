import { conformance } from './conformance/all.ts';

describe('the local transport', () => conformance('local'));
describe('the local transport in fidelity mode', () => conformance('fidelity'));
