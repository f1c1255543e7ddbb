"""app.pages: Streamlit pages; they hold no truth of their own."""
