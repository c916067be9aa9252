"""The page for people: static files without a build step, which use the public API alone.

`http/page.py` serves them at /ui. `app.js` is where a reader begins; a room is a module of its
name. All texts stand in `texts/`, one file a language. `vendor/` holds what others wrote, and
`vendor/manifest.json` tells its versions, licences and digests; `make vendor` brings new ones.
"""
