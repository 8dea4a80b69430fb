/** Made by `atlas/pack.ts` while the page is built. */
declare module 'virtual:atlas' {
  const text: string
  export default text
}
