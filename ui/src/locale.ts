/**
 * On a machine whose locale is `C` the web view says that its language is `C`, which is no language tag, and a library
 * that formats by it fails as it loads. A kiosk is such a machine. This comes before any of them.
 */
try {
  new Intl.NumberFormat(navigator.language)
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
}
