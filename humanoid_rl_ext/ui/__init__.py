"""The panel: view-models that need no window, and views of omni.ui that show them. Shared by the Studio and Kit."""
