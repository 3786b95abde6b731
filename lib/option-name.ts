declare const optionName: unique symbol;

/** The number of a socket option, which to TypeScript also carries its name: setsockopt then knows what it holds. */
export type OptionName<Name extends string> = number & { readonly [optionName]: Name };
