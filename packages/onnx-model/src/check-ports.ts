import { type ElementType, elementTypes, type TensorDeclaration } from '@pademelon/domain';
import { limits } from './limits.ts';
import type { ModelFacts, ValueFacts } from './model-facts.ts';
import { reject } from './model-rejection.ts';

/** By TensorProto.DataType; those without a counterpart in requests and logs are named for the message only. */
const typeNames: readonly string[] = [
  ...['undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16'],
  ...['float64', 'uint32', 'uint64', 'complex64', 'complex128', 'bfloat16'],
];

/** The model's inputs that a request must feed, checked. */
export function checkInputs(model: ModelFacts): TensorDeclaration[] {
  const inputs = model.inputs.filter(({ name }) => !model.weightNames.has(name));
  if (inputs.length === 0) reject('The model has no inputs.');
  return checkPorts('input', inputs);
}

export function checkOutputs(model: ModelFacts): TensorDeclaration[] {
  if (model.outputs.length === 0) reject('The model has no outputs.');
  return checkPorts('output', model.outputs);
}

function checkPorts(direction: 'input' | 'output', values: readonly ValueFacts[]): TensorDeclaration[] {
  const names = new Set(values.map(({ name }) => name));
  if (names.has('')) reject(`The model has an ${direction} without a name.`);
  if (names.size < values.length) reject(`The model has two ${direction}s of the same name.`);
  return values.map((value) => {
    const { name, shape } = value;
    const which = `The model's ${direction} ${JSON.stringify(name)}`;
    if (value.kind !== undefined) {
      reject(
        `${which} is a ${value.kind}; only tensors are supported. For scikit-learn models set zipmap=False when converting.`,
      );
    }
    checkShape(which, shape ?? []);
    return { name, type: elementType(which, value.elementType), shape };
  });
}

function elementType(which: string, number: number): ElementType {
  const name = typeNames[number] ?? `number ${number}`;
  const type = elementTypes.find((candidate) => candidate === name);
  return type ?? reject(`${which} has the element type ${name}; supported are ${elementTypes.join(', ')}.`);
}

function checkShape(which: string, shape: readonly (number | string | null)[]): void {
  let elements = 1;
  for (const size of shape) {
    if (typeof size !== 'number') continue;
    if (size < 0) reject(`${which} has a negative dimension.`);
    elements *= size;
  }
  if (elements > limits.elements) reject(`${which} has more than ${limits.elements} values.`);
}
