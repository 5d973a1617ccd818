import { create, hasOption, setExtension } from '@bufbuild/protobuf';
import { createValidator, type Validator } from '@bufbuild/protovalidate';
import { file_buf_validate_validate, predefined, PredefinedRulesSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** Kinds of rules for each of which the library has native code, besides an expression in its `validate.proto`. */
const NATIVE = /^(?:String|Enum|Float|Double|[SU]?Int(?:32|64)|S?Fixed(?:32|64))Rules$/;

const patterns = new Map<string, RegExp>();

/**
 * A validator of messages by the rules in their contracts. The contracts' patterns are ours, short and linear, so the native
 * engine is as safe as RE2 and 3.5 times as fast.
 */
export function createRuleValidator(): Validator {
  leaveExpressionsOut();
  return createValidator({
    regexMatch: (pattern, against) => {
      let compiled = patterns.get(pattern);
      if (!compiled) patterns.set(pattern, (compiled = new RegExp(pattern, 'u')));
      return compiled.test(against);
    },
  });
}

/**
 * For the first rule on a string the library parses the expressions of all 43 that strings may have, and then uses its native
 * code instead: 60-75 ms of a service's start for what is never evaluated, as against 5-10 ms without. They are taken from the
 * descriptor that it reads them from. In their place stands one that refuses everything: should a rule ever not be native, no
 * request passes it, rather than each.
 */
function leaveExpressionsOut(): void {
  const refuseAll = create(PredefinedRulesSchema, { cel: [{ id: 'not-native', message: 'is under a rule that has no native code', expression: 'false' }] });
  const fields = file_buf_validate_validate.messages.filter(({ name }) => NATIVE.test(name)).flatMap((rules) => rules.fields);
  for (const field of fields) {
    if (field.proto.options && hasOption(field, predefined)) setExtension(field.proto.options, predefined, refuseAll);
  }
}
