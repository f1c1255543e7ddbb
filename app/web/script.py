"""app.web.script: the script that Streamlit runs for each visit; all it does lies in `app.pages.shell`."""

from app.pages.shell import show

show()
