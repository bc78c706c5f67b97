/** The store with some of its methods replaced. */
export function changed<S extends object>(store: S, methods: Partial<S>): S {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
