local ext = get_current_extension_info()
project_ext(ext)

-- Presets lie beside the manifest, which project_ext links with its folder.
repo_build.prebuild_link {
    { "data", ext.target_dir .. "/data" },
    { "docs", ext.target_dir .. "/docs" },
    { "humanoid_rl_ext", ext.target_dir .. "/humanoid_rl_ext" },
}
