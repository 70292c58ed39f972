import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

/**
 * What one document may ask for. The SDKs' largest need 8 levels, 40 fields and 2 aliases; their introspection needs 15
 * levels and 250 fields. (That introspection does not run in circles is a rule of validation.)
 */
export const documentLimits = { depth: 16, fields: 500, aliases: 30 } as const;

interface Size {
  readonly depth: number;
  readonly fields: number;
  readonly aliases: number;
}

const nothing: Size = { depth: 0, fields: 0, aliases: 0 };

/**
 * Why the document asks for too much, as a sentence; null when it does not. Fragments count wherever they are spread,
 * yet each is measured once, so that fragments which spread one another cost no more to refuse than to write. The
 * document must have been validated: fragments exist and do not contain themselves.
 */
export function excessOf(document: DocumentNode): string | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Size>();
  const measureFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    const size = measure(fragments.get(name)?.selectionSet);
    measured.set(name, size);
    return size;
  };
  const measure = (selectionSet: SelectionSetNode | undefined): Size =>
    (selectionSet?.selections ?? []).reduce<Size>((total, selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return add(total, measureFragment(selection.name.value));
      const inner = measure(selection.selectionSet);
      if (selection.kind === Kind.INLINE_FRAGMENT) return add(total, inner);
      const aliases = selection.alias === undefined ? 0 : 1;
      return add(total, { depth: inner.depth + 1, fields: inner.fields + 1, aliases: inner.aliases + aliases });
    }, nothing);

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const size = measure(definition.selectionSet);
    for (const what of ['depth', 'fields', 'aliases'] as const) {
      if (size[what] > documentLimits[what]) {
        return `The query has ${describe[what]} ${size[what]}; at most ${documentLimits[what]} are allowed.`;
      }
    }
  }
  return null;
}

const describe = { depth: 'a depth of', fields: 'a number of fields of', aliases: 'a number of aliases of' };

function add(left: Size, right: Size): Size {
  return {
    depth: Math.max(left.depth, right.depth),
    fields: left.fields + right.fields,
    aliases: left.aliases + right.aliases,
  };
}
