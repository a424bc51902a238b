"""A package, so that its package-scoped fixtures end with it: Playwright's event loop must not outlive
these tests, or no other test could start its own.
"""
