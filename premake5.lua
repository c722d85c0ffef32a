local ext = get_current_extension_info()
project_ext(ext)

repo_build.prebuild_link {
    { "data", ext.target_dir .. "/data" },
    { "docs", ext.target_dir .. "/docs" },
    { "humanoid_rl_ext", ext.target_dir .. "/humanoid_rl_ext" },
}
