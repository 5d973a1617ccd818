import { expect } from 'chai';

import type { StripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { type SimulatorFixture, startSimulatorFixture } from '../simulator/simulator-fixture.ts';
import { chargeOf, openGateway, patience } from './gateway-fixture.ts';
