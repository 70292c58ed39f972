import { limits, newestOpsets } from './limits.ts';
import { type FunctionFacts, type ModelFacts, operatorKey } from './model-facts.ts';
import { reject } from './model-rejection.ts';

/**
 * Refuses operators that no runtime here has, and functions that call themselves or that grow beyond measure when each
 * call is replaced by the function's body, as runtimes do.
 */
export function checkOperators(model: ModelFacts): void {
  const functions = new Map(model.functions.map((item) => [operatorKey(item.domain, item.name, item.overload), item]));
  if (functions.size < model.functions.length) reject('The model defines a function twice.');
  for (const body of [model.main, ...model.functions]) {
    for (const key of body.operators.keys()) {
      if (!functions.has(key)) refuseUnknownDomain(key);
    }
  }
  const expanded = expandFunctions(functions);
  const total = countExpanded(model.main.operators, expanded);
  if (total > limits.expandedNodes) tooLarge();
}

function refuseUnknownDomain(key: string): void {
  const [domain = '', operator = ''] = key.split('\u0000');
  if (newestOpsets[domain] !== undefined) return;
  reject(
    `The model uses the operator ${JSON.stringify(operator)} of the domain ${JSON.stringify(domain)}; only operators of ${Object.keys(newestOpsets).join(', ')} are supported.`,
  );
}

interface Expansion {
  readonly nodes: number;
  readonly depth: number;
}

/** How large each function becomes: those that call no other first, then their callers, until only circles are left. */
function expandFunctions(functions: ReadonlyMap<string, FunctionFacts>): ReadonlyMap<string, Expansion> {
  const callers = new Map<string, string[]>();
  const missing = new Map<string, number>();
  const ready: string[] = [];
  for (const [key, { operators }] of functions) {
    const callees = [...operators.keys()].filter((operator) => functions.has(operator));
    for (const callee of callees) callers.set(callee, [...(callers.get(callee) ?? []), key]);
    missing.set(key, callees.length);
    if (callees.length === 0) ready.push(key);
  }
  const expanded = new Map<string, Expansion>();
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    const { operators } = functions.get(key) as FunctionFacts;
    const depth = 1 + Math.max(0, ...[...operators.keys()].map((operator) => expanded.get(operator)?.depth ?? 0));
    const nodes = countExpanded(operators, expanded);
    if (nodes > limits.expandedNodes) tooLarge();
    if (depth > limits.functionDepth)
      reject(`The model's functions call one another more than ${limits.functionDepth} deep.`);
    expanded.set(key, { nodes, depth });
    for (const caller of callers.get(key) ?? []) {
      const left = (missing.get(caller) as number) - 1;
      missing.set(caller, left);
      if (left === 0) ready.push(caller);
    }
  }
  if (expanded.size < functions.size) reject('The model has a function that calls itself.');
  return expanded;
}

function countExpanded(operators: ReadonlyMap<string, number>, expanded: ReadonlyMap<string, Expansion>): number {
  let nodes = 0;
  for (const [key, count] of operators) nodes += count * (expanded.get(key)?.nodes ?? 1);
  return nodes;
}

function tooLarge(): never {
  return reject(`The model has more than ${limits.expandedNodes} operators once its functions are expanded.`);
}
